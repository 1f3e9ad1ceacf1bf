"""What is deployed. Nothing in here knows the lab, the operations, the policy pack or the bench."""
