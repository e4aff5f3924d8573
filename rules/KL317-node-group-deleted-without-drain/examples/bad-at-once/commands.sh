kops delete ig batch --yes
