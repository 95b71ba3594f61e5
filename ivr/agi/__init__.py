"""The calls without ARI: AMI tells what happens and originates, FastAGI plays."""
