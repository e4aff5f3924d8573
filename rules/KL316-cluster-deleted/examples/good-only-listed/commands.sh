kops get clusters
