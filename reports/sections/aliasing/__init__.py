"""What accuracy does not tell: aliases, high frequencies, more epochs, and remedies.

``section``, ``epochs`` and ``remedies`` are what the study page shows; ``probes.of_run``,
``probes.of_effect`` and ``music.of_run`` draw any single run.
"""
