"""The project file, frozen, and where the project's state lives."""
