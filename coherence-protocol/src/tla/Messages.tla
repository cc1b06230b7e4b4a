------------------------------ MODULE Messages ------------------------------
(***************************************************************************)
(* Nodes, pages, and what nodes say to each other: MessageType and         *)
(* CoherenceMessage of the Java code.                                      *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  NodeCount,    \* nodes of the cluster
  PageCount,    \* pages of guest RAM; the home of page p is node p modulo NodeCount
  Deltas,       \* TRUE: nodes send only what changed where they can
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
ForCache == Forwards \cup {"InvAck", "Data", "Delta", "Grant", "PutAck", "PutNack"}

(* Data is DATA or DATA_SPARSE of the Java code: either brings all of the page, however many of its *)
(* bytes are written out, and neither depends on what the requester has. Which of the two it is      *)
(* decides nothing here; the explorer of the Java controllers tells them apart.                      *)

Lanes == {"control", "page"}
BringBytes == {"Data", "Delta"}
LaneOf(type) == IF type \in BringBytes THEN "page" ELSE "control"

(* Page bytes are abstracted to the number of the write that left them; nothing the protocol does   *)
(* depends on more. Without deltas writes are not counted: the last one is 1, all before are Any.   *)
Any == -1  \* bytes of no write: what is in a mirror at first

Message ==
  [type : ForDirectory \cup ForCache,
   page : Pages,
   req : Nodes,             \* on whose behalf the transaction runs
   acks : 0 .. NodeCount,   \* InvAcks the requester has to await
   excl : BOOLEAN,          \* the right given is to write
   zero : BOOLEAN,          \* the page is all zero
   bytes : Int,             \* those that come with it, or come of applying it (Data, Delta)
   ver : Nat,               \* their version
   base : Nat,              \* version of what the requester still has, or 0; what a Delta is made for
   from : Int]              \* the bytes a Delta was computed against: nobody can see that

Plain(type, p, req) ==
  [type |-> type, page |-> p, req |-> req, acks |-> 0, excl |-> FALSE, zero |-> FALSE,
   bytes |-> 0, ver |-> 0, base |-> 0, from |-> 0]

(***************************************************************************)
(* A step of a controller is a record with what it changes and `out`, the  *)
(* messages it sends, oldest first.                                        *)
(***************************************************************************)
Emit(s, to, m) == [s EXCEPT !.out = Append(@, [to |-> to, m |-> m])]
=============================================================================
