case "$SIZE_A" in
  small) kops edit ig nodes-a --set spec.maxSize=3 ;;
  medium) kops edit ig nodes-a --set spec.maxSize=6 ;;
  large) kops edit ig nodes-a --set spec.maxSize=12 ;;
esac
case "$SIZE_B" in
  small) kops edit ig nodes-b --set spec.maxSize=3 ;;
  medium) kops edit ig nodes-b --set spec.maxSize=6 ;;
  large) kops edit ig nodes-b --set spec.maxSize=12 ;;
esac
case "$SIZE_C" in
  small) kops edit ig nodes-c --set spec.maxSize=3 ;;
  medium) kops edit ig nodes-c --set spec.maxSize=6 ;;
  large) kops edit ig nodes-c --set spec.maxSize=12 ;;
esac
case "$SIZE_D" in
  small) kops edit ig nodes-d --set spec.maxSize=3 ;;
  medium) kops edit ig nodes-d --set spec.maxSize=6 ;;
  large) kops edit ig nodes-d --set spec.maxSize=12 ;;
esac
case "$SIZE_E" in
  small) kops edit ig nodes-e --set spec.maxSize=3 ;;
  medium) kops edit ig nodes-e --set spec.maxSize=6 ;;
  large) kops edit ig nodes-e --set spec.maxSize=12 ;;
esac
kops update cluster --yes
