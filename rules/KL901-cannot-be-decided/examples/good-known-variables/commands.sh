NAME=demo.example.com
FILE=after.yaml
kops replace -f "$FILE"
kops update cluster "$NAME" --yes
