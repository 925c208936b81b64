"""How right the platform is: its results against the truth of a company that was made."""
