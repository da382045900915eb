"""Pictures of the demo activities, and how they are drawn."""
