"""One table, three reports: Luodi's look at it beside Evidently's and ydata-profiling's."""
