"""What is believed of what comes in: verdicts, what waits or was refused, alarms, and evidence."""
