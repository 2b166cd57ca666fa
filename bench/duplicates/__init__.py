"""Near-copies among short texts: Luodi's search beside datasketch's, and recall by brute force."""
