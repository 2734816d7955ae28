"""Readers and engines on the machines of a Ray cluster; the loop, its ledger and all publishing stay in one process, the driver.

On every machine, actors work (``actor``), each with what a local run has: reader processes that can be killed, and an engine. The driver
knows where the actors are (``actors``), hands them pages to read (``page_dispatch``) and units to answer (``unit_dispatch``), and gives
the loop a pool and an engine that behave like local ones (``cluster``). ``messages`` are what travels in between.

The machines of the cluster and the network between them are trusted: who can reach Ray's ports can run code there. Documents are not
trusted: as everywhere, a page is read in a process that sends bytes.
"""
