"""The published copies that BI tools and pages read."""
