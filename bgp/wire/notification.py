from bgp.message import Notification
def decode_notification(b): return Notification(b[0],b[1],b[2:])
