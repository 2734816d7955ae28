"""Formats without pages of their own: each module makes blocks of one of them. ``registry`` chooses by the contents."""
