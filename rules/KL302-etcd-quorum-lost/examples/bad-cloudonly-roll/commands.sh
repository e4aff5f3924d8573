# The API is slow, so validation is left out.
kops rolling-update cluster demo.example.com --cloudonly --force --yes
