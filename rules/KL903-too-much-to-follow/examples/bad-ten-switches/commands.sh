[ -n "$RESIZE_A" ] && kops edit ig nodes-a --set spec.maxSize=5
[ -n "$RESIZE_B" ] && kops edit ig nodes-b --set spec.maxSize=5
[ -n "$RESIZE_C" ] && kops edit ig nodes-c --set spec.maxSize=5
[ -n "$RESIZE_D" ] && kops edit ig nodes-d --set spec.maxSize=5
[ -n "$RESIZE_E" ] && kops edit ig nodes-e --set spec.maxSize=5
[ -n "$RESIZE_F" ] && kops edit ig nodes-f --set spec.maxSize=5
[ -n "$RESIZE_G" ] && kops edit ig nodes-g --set spec.maxSize=5
[ -n "$RESIZE_H" ] && kops edit ig nodes-h --set spec.maxSize=5
[ -n "$RESIZE_I" ] && kops edit ig nodes-i --set spec.maxSize=5
[ -n "$RESIZE_J" ] && kops edit ig nodes-j --set spec.maxSize=5
kops update cluster --yes
