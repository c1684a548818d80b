from rib.policy import accept, reject
