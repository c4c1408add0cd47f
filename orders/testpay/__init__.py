"""The test payment provider: a process of its own with its own table, so that lost answers are really lost."""
