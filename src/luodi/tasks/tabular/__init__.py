"""What the tasks on tables share: reading columns, encoding them, learners, decisions."""
