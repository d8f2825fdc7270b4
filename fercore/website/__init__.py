"""The site: all rendered notebooks, their runs and the code, as pages that need neither network nor script.

``python -m fercore.website results/site`` builds it from what is rendered; nothing is executed.
"""
