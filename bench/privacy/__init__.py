"""Personal data: precision and recall by kind, beside Presidio as it comes."""
