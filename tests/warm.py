"""Imported by the process that commands are forked from: what each would compile for itself."""

from luodi.evaluation.page.render import environment

for _name in ("macros.html", "page.html", "profile.html"):
    environment().get_template(_name)
