"""Tables: Luodi's boosting by itself on six of them, and beside AutoGluon on five."""
