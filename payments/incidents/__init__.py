"""Incidents: opened with a reason, switches while one lasts, closed with everything that was missed made up for.

`opening` and `closing` are the two services; `switches` is what pages ask; `report` what stands before and after.
"""
