"""How long the inbox will take, and how much memory and disk, from a few pages that are really read."""
