"""The postal address of a party: which lines near its name belong to it, learned from documents."""

from pipeline.engines.embedded.fields.addresses.address_block import Address, find_address

__all__ = ["Address", "find_address"]
