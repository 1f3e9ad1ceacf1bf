module lab/containers

go 1.26.0
