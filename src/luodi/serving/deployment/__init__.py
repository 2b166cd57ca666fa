"""A bundle made ready to run elsewhere: as an image, in Kubernetes, under systemd."""
