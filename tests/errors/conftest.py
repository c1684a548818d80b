import pytest

pytest.register_assert_rewrite("errors.runner")
