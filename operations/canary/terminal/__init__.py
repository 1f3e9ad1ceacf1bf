"""What the user of a running canary sees, and the signals that the user sends."""
