"""Readers and engines on the machines of a Ray cluster; the loop, its ledger and all publishing stay in one process, the driver.

On every machine work actors (``station``), each with what a local run has: reader processes that can be killed, and an engine. The
driver knows where they are (``crew``) and hands them pages to read and units to answer (``cluster``); to the loop they look like a
local pool (``readers``) and a local engine (``engine``). ``wire`` is what travels in between.

Machines of the cluster are trusted, and so is the network between them: whoever can reach Ray's ports can run code there. Documents are
not, and so a page is read in a process that sends bytes, as everywhere.
"""
