"""What the screens of all apps are made of: lists and pages (`screens`), rows on them (`inlines`), values (`display`),
buttons that ask for a reason first (`actions`), and those that show first what would change (`preview`)."""
