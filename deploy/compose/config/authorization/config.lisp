;; Who may read what, and who hears of changes. The services of this stack write with mu-auth-sudo, which these
;; rights do not limit: the graphs of jobs, errors, mails and the publication are granted to nobody.

(in-package :delta-messenger)
(add-delta-messenger "http://delta-notifier/")

(in-package :client)
(setf *backend* "http://virtuoso:8890/sparql")

(in-package :server)
(setf *log-incoming-requests-p* nil)

(in-package :acl)
(defparameter *access-specifications* nil)
(defparameter *graphs* nil)
(defparameter *rights* nil)

;; The data that the stream publishes.
(define-graph public ("http://mu.semte.ch/graphs/public")
  (_ -> _))

(supply-allowed-group "public")

(grant (read)
  :to-graph public
  :for-allowed-group "public")
