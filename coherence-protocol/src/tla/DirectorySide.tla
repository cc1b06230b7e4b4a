--------------------------- MODULE DirectorySide ----------------------------
(***************************************************************************)
(* What DirectoryController does, as functions: from the home's entry for   *)
(* page p to a step with s.d, the new entry; s.out, messages; s.refused;   *)
(* s.take, whether the home's cache should fetch the page.                 *)
(***************************************************************************)
EXTENDS Messages

DirectoryEntry ==
  [owner : Nodes \cup {Nobody},
   sharers : SUBSET Nodes,
   touched : BOOLEAN,                \* somebody was granted the right to write
   busy : Nodes \cup {Nobody},       \* whose request is being served
   queue : Seq([node : Nodes, type : Requests, base : Nat])]

NewEntry ==
  [owner |-> Nobody, sharers |-> {}, touched |-> FALSE, busy |-> Nobody, queue |-> <<>>]

DirStep(d) == [d |-> d, out |-> <<>>, refused |-> FALSE, take |-> FALSE]

(* The home itself if it shares, else the next sharer after the requester. *)
Supplier(p, sharers, requester) ==
  IF Home(p) \in sharers THEN Home(p)
  ELSE LET distance(n) == (n + NodeCount - requester) % NodeCount
       IN CHOOSE n \in sharers : \A other \in sharers : distance(n) <= distance(other)

(* `base` tells what bytes the requester still has. *)
Forward(s, type, p, to, requester, acks, base) ==
  Emit(s, to, [Plain(type, p, requester) EXCEPT !.acks = acks, !.base = base])

Grant(s, p, requester, acks, excl, zero) ==
  Emit(s, requester,
       [Plain("Grant", p, requester) EXCEPT !.acks = acks, !.excl = excl, !.zero = zero])

RECURSIVE Invalidate(_, _, _, _)
Invalidate(s, p, nodes, requester) ==
  IF nodes = {} THEN s
  ELSE LET n == CHOOSE first \in nodes : \A other \in nodes : first <= other
       IN Invalidate(Forward(s, "Inv", p, n, requester, 0, 0), p, nodes \ {n}, requester)

(* An Upgrade by a node that shares no more is a race it lost, and fine. *)
Servable(d, node, type) ==
  d.owner # node /\ ~(node \in d.sharers /\ type # "Upgrade")

ServeRead(s, p, requester, base) ==
  LET d == s.d
      sharers == IF d.owner # Nobody THEN {d.owner} ELSE d.sharers
      known == IF Bug = "sharer-forgotten" THEN {} ELSE sharers
      t == [s EXCEPT !.d.owner = Nobody, !.d.sharers = known \cup {requester}]
  IN IF d.owner # Nobody
     THEN Forward(t, "FwdGetS", p, d.owner, requester, 0, base)
     ELSE IF d.touched
     THEN Forward(t, "FwdGetS", p, Supplier(p, d.sharers, requester), requester, 0, base)
     ELSE Grant(t, p, requester, 0, FALSE, TRUE)

ServeWrite(s, p, requester, type, base) ==
  LET d == s.d
      others == d.sharers \ {requester}
      supplier == Supplier(p, d.sharers, requester)
      rest == others \ {supplier}
      count(nodes) == Cardinality(nodes)
      upgrades == requester \in d.sharers
                  \/ (Bug = "upgrade-race-forgotten" /\ type = "Upgrade")
      blank == ~d.touched \/ (Bug = "written-page-granted-as-zero" /\ d.owner = Nobody)
      t == [s EXCEPT !.d.owner = requester, !.d.sharers = {}, !.d.touched = TRUE]
  IN IF upgrades
     THEN Invalidate(Grant(t, p, requester, count(others), TRUE, FALSE), p, others, requester)
     ELSE IF d.owner # Nobody
     THEN Forward(t, "FwdGetM", p, d.owner, requester, 0, base)
     ELSE IF blank
     THEN Invalidate(Grant(t, p, requester, count(others), TRUE, TRUE), p, others, requester)
     ELSE Invalidate(Forward(t, "FwdGetM", p, supplier, requester, count(rest), base),
                     p, rest, requester)

Serve(d, p, requester, type, base) ==
  LET s == DirStep([d EXCEPT !.busy = requester])
  IN IF type = "GetS" THEN ServeRead(s, p, requester, base)
     ELSE ServeWrite(s, p, requester, type, base)

Waiting(d) == {d.queue[i].node : i \in DOMAIN d.queue}

OnRequest(d, p, from, type, base) ==
  IF d.busy = Nobody \/ Bug = "two-served-at-once"
  THEN IF Servable(d, from, type) THEN Serve(d, p, from, type, base)
       ELSE [DirStep(d) EXCEPT !.refused = TRUE]
  ELSE IF d.busy = from \/ from \in Waiting(d)
  THEN [DirStep(d) EXCEPT !.refused = TRUE]
  ELSE DirStep([d EXCEPT !.queue = Append(@, [node |-> from, type |-> type, base |-> base])])

(* A copy that is not the only one can be dropped, and nobody is served until it is gone. *)
OnPut(d, p, from) ==
  LET idle == d.busy = Nobody
      shares == from \in d.sharers
      only == d.touched /\ d.sharers = {from} /\ Bug # "only-copy-dropped"
      left == [d EXCEPT !.sharers = @ \ {from},
                        !.busy = IF Bug = "drop-not-awaited" THEN @ ELSE from]
  IN IF from = Home(p) \/ d.busy = from \/ from \in Waiting(d)
     THEN [DirStep(d) EXCEPT !.refused = TRUE]
     ELSE IF idle /\ shares /\ ~only
     THEN Emit(DirStep(left), from, Plain("PutAck", p, from))
     ELSE Emit([DirStep(d) EXCEPT !.take = idle /\ (only \/ d.owner = from)],
               from, Plain("PutNack", p, from))

OnUnblock(d, p, from) ==
  IF d.busy # from /\ Bug \notin {"two-served-at-once", "drop-not-awaited"}
  THEN [DirStep(d) EXCEPT !.refused = TRUE]
  ELSE IF d.queue = <<>> THEN DirStep([d EXCEPT !.busy = Nobody])
  ELSE IF Bug = "queue-forgotten" THEN DirStep([d EXCEPT !.busy = Nobody, !.queue = <<>>])
  ELSE LET first == Head(d.queue)
           rest == [d EXCEPT !.queue = Tail(@)]
       IN IF Servable(d, first.node, first.type)
          THEN Serve(rest, p, first.node, first.type, first.base)
          ELSE [DirStep(d) EXCEPT !.refused = TRUE]
=============================================================================
