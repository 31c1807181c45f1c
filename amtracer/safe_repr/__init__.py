"""Safe repr: short texts of values, made without running any code of the traced program."""
