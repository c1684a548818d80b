def check(code, flags, value, context): return None
