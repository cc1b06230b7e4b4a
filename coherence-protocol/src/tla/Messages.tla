------------------------------ MODULE Messages ------------------------------
(***************************************************************************)
(* Nodes, pages, and what nodes say to each other: MessageType and         *)
(* CoherenceMessage of the Java code.                                      *)
(***************************************************************************)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
  NodeCount,    \* nodes of the cluster
  PageCount,    \* pages of guest RAM; the home of page p is node p modulo NodeCount
  Holds,        \* TRUE: a grant is held until it was used or its time is up
  Puts,         \* TRUE: nodes offer pages to their homes to make room
  Bug           \* "none", or the name of a bug planted in the protocol

Nodes == 0 .. NodeCount - 1
Pages == 0 .. PageCount - 1
Nobody == NodeCount
Home(p) == p % NodeCount

Requests == {"GetS", "GetM", "Upgrade"}
ForDirectory == Requests \cup {"Unblock", "Put"}
Forwards == {"FwdGetS", "FwdGetM", "Inv"}
ForCache == Forwards \cup {"InvAck", "Data", "Grant", "PutAck", "PutNack"}

Lanes == {"control", "page"}
LaneOf(type) == IF type = "Data" THEN "page" ELSE "control"

(* Page bytes are abstracted to whether they are those of the last write. Nothing the protocol does *)
(* depends on bytes, so that is all there is to know of them.                                       *)
Message ==
  [type : ForDirectory \cup ForCache,
   page : Pages,
   req : Nodes,             \* on whose behalf the transaction runs
   acks : 0 .. NodeCount,   \* InvAcks the requester has to await
   excl : BOOLEAN,          \* the right given is to write
   zero : BOOLEAN,          \* the page is all zero
   fresh : BOOLEAN]         \* the bytes are those of the last write (Data)

Plain(type, p, req) ==
  [type |-> type, page |-> p, req |-> req, acks |-> 0, excl |-> FALSE, zero |-> FALSE, fresh |-> FALSE]

(***************************************************************************)
(* A step of a controller is a record with what it changes and `out`, the  *)
(* messages it sends, oldest first.                                        *)
(***************************************************************************)
Emit(s, to, m) == [s EXCEPT !.out = Append(@, [to |-> to, m |-> m])]
=============================================================================
