"""One channel of memory whose banks compute: its banks, its controller and what joins them."""
