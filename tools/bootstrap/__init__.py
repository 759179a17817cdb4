"""What tools/setup_env.py does; standard library only, since nothing is installed yet."""
