"""The sections of a study's page, a module each: from results to sentences, tables and figures.

``order.SECTIONS`` lists them; page and navigation follow from it.
"""
