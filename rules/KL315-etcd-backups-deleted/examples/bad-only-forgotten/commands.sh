kops delete cluster demo.example.com --unregister --yes
