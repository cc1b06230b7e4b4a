----------------------------- MODULE CacheSide ------------------------------
(***************************************************************************)
(* What CacheController, RequesterSide and OwnerSide do, as functions: from *)
(* what node n knows of page p to a step.                                  *)
(*                                                                         *)
(* A step s has s.c, the new record of the page; s.out, messages; s.wake,  *)
(* whether local faulters retry; s.refused, whether the message made no    *)
(* sense. In the records of pages where nothing is going on, fields that   *)
(* mean nothing have their first value, so that states do not differ in    *)
(* what does not matter.                                                   *)
(***************************************************************************)
EXTENDS Messages

Stable == {"I", "S", "M"}
Transient == {"IS_D", "IM_AD", "IM_A", "SM_AD", "SM_A"}
Surrenders == {"none", "deferred", "revoking", "downgrading"}

NoTwin == [ver |-> 0, bytes |-> 0]

CacheRecord ==
  [st : Stable \cup Transient,
   acked : SUBSET Nodes,      \* whose InvAck for our request came
   acks : 0 .. NodeCount,     \* how many to await; meant in IM_A and SM_A
   wantsR : BOOLEAN,          \* a local faulter waits for what cannot be asked for yet
   wantsW : BOOLEAN,
   sur : Surrenders,          \* how far giving up rights has come
   surTo : Forwards \cup {"PutAck"}, \* the message that asked for it ...
   surReq : Nodes,            \* ... on whose behalf ...
   surAcks : 0 .. NodeCount,  \* ... the count to pass on, ...
   surBase : Nat,             \* ... and the version that node still has the bytes of
   put : BOOLEAN,             \* an offer is under way: no request may be sent
   pins : Nat,                \* by devices and loaders
   held : BOOLEAN,            \* a grant is not used yet, nor its time up
   rights : {"none", "read", "write"},  \* what vCPUs of this node can do, in force
   ver : Nat,                 \* version of the mirror's bytes; not kept without deltas
   twin : [ver : Nat, bytes : Int],  \* what the page was before this node wrote it; version 0 for none
   bytes : Int]               \* the bytes in the mirror

NewPage ==
  [st |-> "I", acked |-> {}, acks |-> 0, wantsR |-> FALSE, wantsW |-> FALSE,
   sur |-> "none", surTo |-> "Inv", surReq |-> 0, surAcks |-> 0,
   surBase |-> 0, put |-> FALSE, pins |-> 0, held |-> FALSE, rights |-> "none", ver |-> 0,
   twin |-> NoTwin, bytes |-> Any]

Step(c) == [c |-> c, out |-> <<>>, wake |-> FALSE, refused |-> FALSE]
Refuse(c) == [Step(c) EXCEPT !.refused = TRUE]

(* CacheController.mayAccess: what the protocol believes, not what is in force. *)
MayAccess(c, write) ==
  /\ c.sur # "revoking"
  /\ IF write
     THEN c.st = "M" /\ c.sur # "downgrading"
     ELSE c.st \in {"S", "M", "SM_AD", "SM_A"}

(* Whether vCPUs get through, also by a translation that is about to go. *)
InForce(c, write) == c.rights = "write" \/ (~write /\ c.rights = "read")

(* PageRecord.requestsWait. *)
RequestsWait(c) ==
  \/ c.put /\ Bug # "request-while-offered"
  \/ c.sur \in {"revoking", "downgrading"}
  \/ c.sur = "deferred" /\ c.surTo = "PutAck"

-----------------------------------------------------------------------------
(* Requests: RequesterSide. *)

Request(s, n, p, write) ==
  LET next == IF ~write THEN "IS_D" ELSE IF s.c.st = "S" THEN "SM_AD" ELSE "IM_AD"
      type == IF ~write THEN "GetS" ELSE IF s.c.st = "S" THEN "Upgrade" ELSE "GetM"
  IN Emit([s EXCEPT !.c.st = next, !.c.wantsR = FALSE, !.c.wantsW = FALSE,
                    !.c.acked = {}, !.c.acks = 0],
          Home(p), [Plain(type, p, n) EXCEPT !.base = s.c.ver])

RequestWhatIsWanted(s, n, p) ==
  IF (s.c.wantsR \/ s.c.wantsW) /\ s.c.st \in Stable /\ ~RequestsWait(s.c)
  THEN Request(s, n, p, s.c.wantsW)
  ELSE s

Finish(s, n, p) ==
  LET early == Bug = "unblock-too-early" /\ s.c.st = "M" \* has said it already
      said == IF early THEN s ELSE Emit(s, Home(p), Plain("Unblock", p, n))
      kept == [said EXCEPT !.c.held = Holds, !.c.acked = {}, !.c.acks = 0,
                           !.wake = Bug # "wake-lost"]
  IN RequestWhatIsWanted(kept, n, p)

(* The page as it is stays as a twin, and is about to be written. A page never written needs none. *)
Twinned(c) ==
  IF ~Deltas THEN c
  ELSE [c EXCEPT !.ver = IF Bug = "version-not-raised" /\ c.ver > 0 THEN @ ELSE @ + 1,
                 !.twin = CASE c.ver = 0 -> @
                            [] Bug = "twin-not-renewed" /\ @.ver # 0 -> [@ EXCEPT !.ver = c.ver]
                            [] Bug = "twin-tagged-too-new" -> [ver |-> c.ver + 1, bytes |-> c.bytes]
                            [] OTHER -> [ver |-> c.ver, bytes |-> c.bytes]]

FinishIfAllAcked(s, n, p) ==
  LET awaited == IF Bug = "ack-not-awaited" /\ s.c.acks > 0 THEN s.c.acks - 1 ELSE s.c.acks
  IN IF s.c.st \notin {"IM_A", "SM_A"} \/ Cardinality(s.c.acked) < awaited
     THEN s
     ELSE Finish([s EXCEPT !.c = [Twinned(s.c) EXCEPT !.st = "M", !.rights = "write"]], n, p)

(* Bytes, or the news that none are needed, have come. *)
Answered(s, n, p, m) ==
  IF ~m.excl
  THEN Finish([s EXCEPT !.c.st = "S", !.c.rights = "read"], n, p)
  ELSE LET next == IF s.c.st = "SM_AD" THEN "SM_A" ELSE "IM_A"
           t == [s EXCEPT !.c.st = next, !.c.acks = m.acks]
           u == IF Bug = "unblock-too-early" THEN Emit(t, Home(p), Plain("Unblock", p, n)) ELSE t
       IN FinishIfAllAcked(u, n, p)

(* Data and Delta. A Delta changes some bytes and takes for granted what the others are. *)
OnData(c, n, p, m) ==
  LET fits == m.type = "Data" \/ c.bytes = m.from
      new == [c EXCEPT !.bytes = IF fits THEN m.bytes ELSE Any,
                       !.ver = IF Bug = "version-of-delta-lost" /\ m.type = "Delta" THEN @ ELSE m.ver]
  IN
  IF \/ c.st \notin {"IS_D", "IM_AD"}
     \/ m.type = "Delta" /\ m.base # c.ver /\ Bug # "base-not-checked"
     \/ m.req # n \/ m.zero \/ m.excl # (c.st = "IM_AD") \/ (~m.excl /\ m.acks # 0)
  THEN Refuse(c)
  ELSE Answered(Step(new), n, p, m)

OnGrant(c, n, p, m) ==
  LET wantsM == c.st \in {"IM_AD", "SM_AD"}
      keepsCopy == c.st = "SM_AD"
  IN IF \/ c.sur # "none" \/ ~(wantsM \/ c.st = "IS_D")
        \/ m.req # n \/ m.zero = keepsCopy \/ m.excl # wantsM \/ (~wantsM /\ m.acks # 0)
     THEN Refuse(c)
     ELSE Answered(Step(IF keepsCopy THEN c ELSE [c EXCEPT !.bytes = 0, !.ver = 0]), n, p, m)

OnInvAck(c, n, p, m, from) ==
  IF c.st \notin Transient \ {"IS_D"} \/ c.sur # "none" \/ from \in c.acked \/ m.req # n
  THEN Refuse(c)
  ELSE LET t == Step([c EXCEPT !.acked = @ \cup {from}])
           early == Bug = "write-before-data" /\ c.st = "IM_AD"
       IN IF early THEN Finish([t EXCEPT !.c.st = "M", !.c.rights = "write"], n, p)
          ELSE FinishIfAllAcked(t, n, p)

-----------------------------------------------------------------------------
(* Giving up: OwnerSide. *)

NoSurrender(c) == [c EXCEPT !.sur = "none", !.surTo = "Inv", !.surReq = 0, !.surAcks = 0,
                                  !.surBase = 0]

(* The bytes, or the word that they are gone, for whom the surrender is: the home after a PutAck. *)
Answer(s, n, p, c) ==
  LET plain(type) == Plain(type, p, c.surReq)
      has == CASE Bug = "delta-for-any-base" -> c.twin.ver # 0 /\ c.surBase # 0
               [] Bug = "base-not-checked" -> c.twin.ver # 0
               [] OTHER -> c.twin.ver = c.surBase /\ c.surBase # 0
      base == IF Bug = "base-not-checked" THEN c.twin.ver ELSE c.surBase
      whole == [plain("Data") EXCEPT !.bytes = c.bytes, !.ver = c.ver]
      data == IF has
              THEN [whole EXCEPT !.type = "Delta", !.base = base, !.from = c.twin.bytes]
              ELSE whole
  IN Emit(s, IF c.surTo = "PutAck" THEN Home(p) ELSE c.surReq,
       CASE c.surTo = "Inv" -> plain("InvAck")
         [] c.surTo = "PutAck" -> Plain("Unblock", p, n)
         [] c.surTo = "FwdGetM" -> [data EXCEPT !.excl = TRUE, !.acks = c.surAcks]
         [] c.surTo = "FwdGetS" -> data)

(* Starts a surrender that nothing is in the way of. *)
Settle(s, n, p) ==
  IF s.c.sur # "deferred" \/ s.c.held \/ s.c.pins > 0
  THEN s
  ELSE LET t == [s EXCEPT !.c.sur =
                   IF s.c.surTo = "FwdGetS" THEN "downgrading" ELSE "revoking"]
       IN IF Bug = "ack-before-revoke" THEN Answer(t, n, p, t.c) ELSE t

HoldOver(s, n, p) == Settle([s EXCEPT !.c.held = FALSE], n, p)

(* FwdGetS, FwdGetM, Inv. `more`: the node lets a page that nothing holds stay for a while. *)
OnSurrender(c, n, p, m, more) ==
  LET owns == c.st = "M"
      shares == c.st \in {"S", "SM_AD"}
      asked == [c EXCEPT !.sur = "deferred", !.surTo = m.type, !.surReq = m.req,
                         !.surAcks = m.acks, !.surBase = m.base, !.held = @ \/ more]
  IN IF \/ c.sur # "none" \/ ~(shares \/ (owns /\ m.type # "Inv"))
        \/ m.req = n \/ (m.acks # 0 /\ (owns \/ m.type # "FwdGetM"))
     THEN Refuse(c)
     ELSE IF m.type = "FwdGetS" /\ shares
     THEN Answer(Step(c), n, p, [c EXCEPT !.surTo = m.type, !.surReq = m.req, !.surBase = m.base])
     ELSE IF Bug = "owner-not-downgraded" /\ m.type = "FwdGetS"
     THEN Answer(Step(c), n, p, asked)
     ELSE Settle(Step(asked), n, p)

(* No vCPU of the node uses the right any more. Nobody needs the bytes that are left here. *)
Completed(c, n, p) ==
  LET gone == c.sur = "revoking"
      next == IF ~gone THEN "S" ELSE IF c.st = "SM_AD" THEN "IM_AD" ELSE "I"
      left == [NoSurrender(c) EXCEPT !.st = next, !.rights = IF gone THEN "none" ELSE "read",
                                      !.bytes = IF gone /\ Puts /\ ~Deltas THEN Any ELSE @]
      s == IF Bug = "ack-before-revoke" THEN Step(left) ELSE Answer(Step(left), n, p, c)
  IN RequestWhatIsWanted(s, n, p)

-----------------------------------------------------------------------------
(* Making room: EvictorSide. *)

Offerable(c, n, p) ==
  /\ c.st \in {"S", "M"} /\ c.sur = "none" /\ ~c.put /\ ~c.held /\ c.pins = 0
  /\ Home(p) # n

Offer(c, n, p) == Emit(Step([c EXCEPT !.put = TRUE]), Home(p), Plain("Put", p, n))

OnPutAck(c, n, p, m) ==
  IF ~c.put \/ c.st # "S" \/ c.sur # "none" \/ m.req # n
  THEN Refuse(c)
  ELSE Settle(Step([c EXCEPT !.put = FALSE, !.sur = "deferred", !.surTo = "PutAck",
                             !.surReq = n, !.surAcks = 0]), n, p)

OnPutNack(c, n, p, m) ==
  IF ~c.put \/ m.req # n
  THEN Refuse(c)
  ELSE LET s == RequestWhatIsWanted(Step([c EXCEPT !.put = FALSE]), n, p)
       IN IF s.c.st = "SM_AD" THEN HoldOver(s, n, p) ELSE s

-----------------------------------------------------------------------------
(* Local events: CacheController. *)

(* Somebody lacks a right. Call only unless MayAccess. *)
Fault(c, n, p, write) ==
  LET s == Step(c)
      stable == c.st \in Stable
  IN IF stable /\ ~RequestsWait(c)
     THEN LET t == Request(s, n, p, write) IN IF c.st = "S" THEN HoldOver(t, n, p) ELSE t
     ELSE IF write /\ (stable \/ c.st = "IS_D") THEN [s EXCEPT !.c.wantsW = TRUE]
     ELSE IF stable THEN [s EXCEPT !.c.wantsR = TRUE]
     ELSE s

(* A vCPU will want the page soon; nobody waits. *)
Prefetchable(c, write) == c.st \in Stable /\ c.sur = "none" /\ ~c.put /\ ~MayAccess(c, write)
Prefetch(c, n, p, write) == Request(Step(c), n, p, write)

Used(c, n, p) == HoldOver(Step(c), n, p)
Pinned(c) == Step([c EXCEPT !.pins = @ + 1])
Unpinned(c, n, p) == Settle(Step([c EXCEPT !.pins = @ - 1]), n, p)
=============================================================================
