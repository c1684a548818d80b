"""What people touch: the command line, configuration files, the control socket."""
