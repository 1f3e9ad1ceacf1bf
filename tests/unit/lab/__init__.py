"""The lab by itself: no root, no network, no Go, and no lab that runs."""
