"""What a running speaker shows over HTTP: a page for people, JSON for programs, metrics for Prometheus. It only reads."""
