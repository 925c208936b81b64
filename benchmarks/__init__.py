"""Speed as ratios against references that run beside it, so that figures survive other machines."""
