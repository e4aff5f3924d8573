kops rolling-update cluster --fail-on-validate-error=false --yes
