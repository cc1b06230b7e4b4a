----------------------------- MODULE Coherence ------------------------------
(***************************************************************************)
(* The coherence protocol of docs/coherence.md as its Java controllers     *)
(* have it: nodes whose vCPUs read and write pages for ever, devices that  *)
(* pin them, channels that are FIFO by lane and not ordered between lanes, *)
(* vCPUs that give up rights some time after they were asked to.           *)
(*                                                                         *)
(* CacheSide and DirectorySide are the two controllers; this module moves  *)
(* messages between them and says what must hold. A message that adds to   *)
(* the protocol goes to Messages, what answers it to the side it is for.   *)
(***************************************************************************)
EXTENDS CacheSide, DirectorySide

CONSTANTS
  VcpusPerNode,
  Devices,      \* nodes 0 .. Devices - 1 have a device each
  Prefetches    \* TRUE: vCPUs ask for pages ahead, too

VARIABLES
  cache,    \* cache[n][p]: what node n knows and has of page p
  dir,      \* dir[p]: the entry at p's home
  net,      \* net[<<from, to, lane>>]: messages under way, oldest first
  agent,    \* agent[a]: what a vCPU or device is doing
  last,     \* last[p]: the number of the last write to the page, 0 if there was none
  refused   \* whether a controller ever refused a message

vars == <<cache, dir, net, agent, last, refused>>

Vcpus == {[node |-> n, kind |-> "vcpu", number |-> i] : n \in Nodes, i \in 1 .. VcpusPerNode}
DeviceAgents == {[node |-> n, kind |-> "device", number |-> 1] : n \in 0 .. Devices - 1}
Agents == Vcpus \cup DeviceAgents
Channels == Nodes \X Nodes \X Lanes

(* A faulter that was woken tries again: "woken". *)
AgentState == [doing : {"idle", "waiting", "woken", "pinned"}, page : Pages, write : BOOLEAN]
Idle == [doing |-> "idle", page |-> 0, write |-> FALSE]

Init ==
  /\ cache = [n \in Nodes |-> [p \in Pages |-> NewPage]]
  /\ dir = [p \in Pages |-> NewEntry]
  /\ net = [ch \in Channels |-> <<>>]
  /\ agent = [a \in Agents |-> Idle]
  /\ last = [p \in Pages |-> 0]
  /\ refused = FALSE

-----------------------------------------------------------------------------
(* What steps of controllers do to the world. *)

RECURSIVE Send(_, _, _)
Send(channels, from, out) ==
  IF out = <<>> THEN channels
  ELSE LET ch == <<from, Head(out).to, LaneOf(Head(out).m.type)>>
       IN Send([channels EXCEPT ![ch] = Append(@, Head(out).m)], from, Tail(out))

Woken(agents, n, p) ==
  [a \in Agents |->
    IF a.node = n /\ agents[a].doing = "waiting" /\ agents[a].page = p
    THEN [agents[a] EXCEPT !.doing = "woken"]
    ELSE agents[a]]

(* Takes over the step s of node n's cache controller, with the channels and agents given. *)
CacheStep(n, p, s, channels, agents) ==
  /\ cache' = [cache EXCEPT ![n][p] = s.c]
  /\ net' = Send(channels, n, s.out)
  /\ agent' = IF s.wake THEN Woken(agents, n, p) ELSE agents
  /\ refused' = (refused \/ s.refused)
  /\ UNCHANGED dir

DirectoryStep(p, s, channels) ==
  /\ dir' = [dir EXCEPT ![p] = s.d]
  /\ net' = Send(channels, Home(p), s.out)
  /\ refused' = (refused \/ s.refused)
  /\ UNCHANGED <<cache, agent, last>>

(* The home's own cache may fetch a page whose only holder offers it, if there is room. *)
PutStep(p, s, channels) ==
  LET h == Home(p)
      c == cache[h][p]
      t == Prefetch(c, h, p, TRUE)
  IN \/ DirectoryStep(p, s, channels)
     \/ /\ s.take /\ c.st = "I" /\ Prefetchable(c, TRUE)
        /\ dir' = [dir EXCEPT ![p] = s.d]
        /\ cache' = [cache EXCEPT ![h][p] = t.c]
        /\ net' = Send(Send(channels, h, s.out), h, t.out)
        /\ UNCHANGED <<agent, last, refused>>

(* The oldest message of a channel arrives. *)
Deliver(ch) ==
  /\ net[ch] # <<>>
  /\ LET m == Head(net[ch])
         from == ch[1]
         n == ch[2]
         p == m.page
         c == cache[n][p]
         rest == [net EXCEPT ![ch] = Tail(@)]
     IN IF m.type \in Requests THEN DirectoryStep(p, OnRequest(dir[p], p, from, m.type, m.base), rest)
        ELSE IF m.type = "Unblock" THEN DirectoryStep(p, OnUnblock(dir[p], p, from), rest)
        ELSE IF m.type = "Put" THEN PutStep(p, OnPut(dir[p], p, from), rest)
        ELSE /\ UNCHANGED last
             /\ CASE m.type \in Forwards ->
                       \E more \in IF Holds /\ ~c.held /\ c.st # "SM_AD" THEN BOOLEAN ELSE {FALSE} :
                         CacheStep(n, p, OnSurrender(c, n, p, m, more), rest, agent)
                  [] m.type \in BringBytes -> CacheStep(n, p, OnData(c, n, p, m), rest, agent)
                  [] m.type = "Grant" -> CacheStep(n, p, OnGrant(c, n, p, m), rest, agent)
                  [] m.type = "InvAck" -> CacheStep(n, p, OnInvAck(c, n, p, m, from), rest, agent)
                  [] m.type = "PutAck" -> CacheStep(n, p, OnPutAck(c, n, p, m), rest, agent)
                  [] m.type = "PutNack" -> CacheStep(n, p, OnPutNack(c, n, p, m), rest, agent)

(* vCPUs of n use the right no more that they were asked to give up. *)
Complete(n, p) ==
  /\ cache[n][p].sur \in {"revoking", "downgrading"}
  /\ CacheStep(n, p, Completed(cache[n][p], n, p), net, agent)
  /\ UNCHANGED last

(* A hold's time is up: at any time, as nothing is known of how fast anybody is. *)
Expire(n, p) ==
  /\ cache[n][p].held
  /\ Bug # "hold-without-end"
  /\ CacheStep(n, p, Used(cache[n][p], n, p), net, agent)
  /\ UNCHANGED last

(* Room for twins is bounded. Which one goes, and when, does not matter. *)
Forget(n, p) ==
  /\ cache[n][p].twin # NoTwin
  /\ cache' = [cache EXCEPT ![n][p].twin = NoTwin]
  /\ UNCHANGED <<dir, net, agent, last, refused>>

(* With deltas stale bytes are worth something, and go some time later, their version with them. *)
GiveBack(n, p) ==
  /\ Puts /\ Deltas
  /\ cache[n][p].st = "I" /\ cache[n][p].bytes # Any
  /\ cache' = [cache EXCEPT ![n][p].bytes = Any, ![n][p].ver = 0]
  /\ UNCHANGED <<dir, net, agent, last, refused>>

(* The bytes of a page without rights are not looked after, though their version is still told. *)
Spoil(n, p) ==
  /\ Bug = "stale-bytes-spoilt"
  /\ cache[n][p].st = "I"
  /\ cache' = [cache EXCEPT ![n][p].bytes = Any]
  /\ UNCHANGED <<dir, net, agent, last, refused>>

-----------------------------------------------------------------------------
(* vCPUs and devices. *)

(* Step s of node n's controller, in the course of which the page is read or written. *)
Accessing(n, p, write, s, agents) ==
  /\ net' = Send(net, n, s.out)
  /\ agent' = agents
  /\ UNCHANGED <<dir, refused>>
  /\ IF write
     THEN /\ last' = [last EXCEPT ![p] = IF Deltas THEN @ + 1 ELSE 1]
          /\ cache' = [k \in Nodes |-> [cache[k] EXCEPT ![p] =
                        IF k = n THEN [s.c EXCEPT !.bytes = last'[p]]
                        ELSE [@ EXCEPT !.bytes = IF Deltas THEN @ ELSE Any]]]
     ELSE /\ UNCHANGED last
          /\ cache' = [cache EXCEPT ![n][p] = s.c]

Faulting(a, p, write) ==
  LET n == a.node
      waits == [agent EXCEPT ![a] = [doing |-> "waiting", page |-> p, write |-> write]]
  IN /\ ~MayAccess(cache[n][p], write)
     /\ CacheStep(n, p, Fault(cache[n][p], n, p, write), net, waits)
     /\ UNCHANGED last

(* While a right is being taken away some vCPUs still get through and some don't. Not every node *)
(* is told when its vCPU has used a page (`says`).                                               *)
VcpuTries(a, p, write) ==
  LET c == cache[a.node][p]
  IN \/ /\ InForce(c, write)
        /\ \E says \in IF c.held THEN BOOLEAN ELSE {FALSE} :
             Accessing(a.node, p, write, IF says THEN Used(c, a.node, p) ELSE Step(c),
                       [agent EXCEPT ![a] = Idle])
     \/ Faulting(a, p, write)

DeviceTries(a, p, write) ==
  LET c == cache[a.node][p]
  IN \/ /\ MayAccess(c, write)
        /\ Accessing(a.node, p, write, Pinned(c),
                     [agent EXCEPT ![a] = [doing |-> "pinned", page |-> p, write |-> write]])
     \/ Faulting(a, p, write)

Tries(a, p, write) ==
  IF a.kind = "device" THEN DeviceTries(a, p, write) ELSE VcpuTries(a, p, write)

Begin(a) == agent[a].doing = "idle" /\ \E p \in Pages, write \in BOOLEAN : Tries(a, p, write)

Retry(a) == agent[a].doing = "woken" /\ Tries(a, agent[a].page, agent[a].write)

(* A device accesses its page up to the end. *)
Unpin(a) ==
  /\ agent[a].doing = "pinned"
  /\ Accessing(a.node, agent[a].page, agent[a].write,
               Unpinned(cache[a.node][agent[a].page], a.node, agent[a].page),
               [agent EXCEPT ![a] = Idle])

Ahead(n, p, write) ==
  /\ Prefetches
  /\ Prefetchable(cache[n][p], write)
  /\ CacheStep(n, p, Prefetch(cache[n][p], n, p, write), net, agent)
  /\ UNCHANGED last

(* A node is short of memory. *)
Evict(n, p) ==
  /\ Puts
  /\ Offerable(cache[n][p], n, p)
  /\ CacheStep(n, p, Offer(cache[n][p], n, p), net, agent)
  /\ UNCHANGED last

Next ==
  \/ \E ch \in Channels : Deliver(ch)
  \/ \E n \in Nodes, p \in Pages :
       Complete(n, p) \/ Expire(n, p) \/ Evict(n, p) \/ GiveBack(n, p)
       \/ Forget(n, p) \/ Spoil(n, p)
  \/ \E n \in Nodes, p \in Pages, write \in BOOLEAN : Ahead(n, p, write)
  \/ \E a \in Agents : Begin(a) \/ Retry(a) \/ Unpin(a)

(* Messages arrive, revokes complete, holds end, devices finish. No vCPU need ever do anything. *)
Fairness ==
  /\ \A ch \in Channels : WF_vars(Deliver(ch))
  /\ \A n \in Nodes, p \in Pages : WF_vars(Complete(n, p)) /\ WF_vars(Expire(n, p))
  /\ \A a \in DeviceAgents : WF_vars(Unpin(a))

Spec == Init /\ [][Next]_vars /\ Fairness

-----------------------------------------------------------------------------
(* What must hold in every state. *)

TypeOK ==
  /\ \A n \in Nodes, p \in Pages : cache[n][p] \in CacheRecord
  /\ \A p \in Pages : dir[p] \in DirectoryEntry
  /\ \A ch \in Channels : \A i \in DOMAIN net[ch] :
       net[ch][i] \in Message /\ LaneOf(net[ch][i].type) = ch[3]
  /\ agent \in [Agents -> AgentState]
  /\ last \in [Pages -> Nat]

NothingRefused == ~refused

SingleWriterOrManyReaders ==
  \A p \in Pages : \A n, k \in Nodes :
    n # k /\ cache[n][p].rights = "write" => cache[k][p].rights = "none"

(* Whoever may read has the bytes of the last write; so has a page that counts as zero. *)
ReadsReturnTheLastWrite ==
  \A n \in Nodes, p \in Pages : cache[n][p].rights # "none" => cache[n][p].bytes = last[p]

UntouchedPagesAreZero == \A p \in Pages : last[p] > 0 => dir[p].touched

(* The rights in force are those that go with the state. *)
RightsFollowTheState ==
  \A n \in Nodes, p \in Pages :
    cache[n][p].rights =
      CASE cache[n][p].st = "M" -> "write"
        [] cache[n][p].st \in {"S", "SM_AD", "SM_A"} -> "read"
        [] OTHER -> "none"

Sent(n, p) ==
  UNION {{net[ch][i] : i \in {j \in DOMAIN net[ch] : net[ch][j].page = p}} :
         ch \in {x \in Channels : x[1] = n}}

(* As long as an InvAck or Data is under way, what it promises is true of its sender. *)
AcksAreTrue ==
  \A n \in Nodes, p \in Pages : \A m \in Sent(n, p) :
    /\ m.type = "InvAck" \/ (m.type \in BringBytes /\ m.excl) => cache[n][p].rights = "none"
    /\ m.type \in BringBytes => cache[n][p].rights # "write" /\ m.bytes = last[p]

(* A delta is applied to exactly the bytes it was computed against, and versions say so: as long as it *)
(* is under way its receiver has these bytes.                                                          *)
DeltasFitTheirBase ==
  \A p \in Pages : \A ch \in Channels : \A i \in DOMAIN net[ch] :
    net[ch][i].page = p /\ net[ch][i].type = "Delta" =>
      LET c == cache[ch[2]][p] IN c.bytes = net[ch][i].from /\ c.ver = net[ch][i].base

(* A version is the name of bytes: whoever has those of a version, as a copy, stale or as a twin, has *)
(* the same. (A writer's are on their way to be.)                                                     *)
VersionsNameBytes ==
  Deltas => \A p \in Pages :
    LET copies == {[ver |-> cache[n][p].ver, bytes |-> cache[n][p].bytes] :
                    n \in {k \in Nodes : cache[k][p].ver > 0 /\ cache[k][p].st # "M"}}
                  \cup {t \in {cache[n][p].twin : n \in Nodes} : t # NoTwin}
    IN \A a, b \in copies : a.ver = b.ver => a.bytes = b.bytes

PinnedPagesStay ==
  \A a \in Agents : agent[a].doing = "pinned" =>
    InForce(cache[a.node][agent[a].page], agent[a].write)

(* While no request for the page is being served, its home knows exactly who has what. *)
DirectoryTellsTheTruth ==
  \A p \in Pages : dir[p].busy = Nobody =>
    \A n \in Nodes :
      /\ (dir[p].owner = n) <=> (cache[n][p].st = "M")
      /\ (n \in dir[p].sharers) <=> (cache[n][p].st \in {"S", "SM_AD"})
      /\ cache[n][p].sur = "none"

(* Somebody has the bytes of every page that was written, or they are on the way. *)
NoPageIsLost ==
  \A p \in Pages : last[p] > 0 =>
    \/ \E n \in Nodes : cache[n][p].bytes = last[p]
    \/ \E n \in Nodes : \E m \in Sent(n, p) : m.type \in BringBytes /\ m.bytes = last[p]

(* Per page and way: one request or offer and the Unblock before it to the home, with an InvAck for the home's *)
(* own request; one forward or grant from it, with all of that if the home talks to itself.           *)
QueuesAreBounded ==
  /\ \A p \in Pages : dir[p].busy # Nobody \/ dir[p].queue = <<>>
  /\ \A p \in Pages : Len(dir[p].queue) < NodeCount
  /\ \A ch \in Channels :
       Len(net[ch]) <= PageCount * (IF ch[3] = "page" THEN 1 ELSE 3)

(* Every faulter is answered. (That it can use what it gets before others take it is up to holds, *)
(* which are a matter of time: see SimulationTest and SymmetricContentionTest.)                    *)
EveryFaultIsAnswered ==
  \A a \in Agents : (agent[a].doing = "waiting") ~> (agent[a].doing # "waiting")

EveryRequestEnds ==
  \A n \in Nodes, p \in Pages : (cache[n][p].st \in Transient) ~> (cache[n][p].st \in Stable)

-----------------------------------------------------------------------------
(* Versions and numbers of writes grow for ever, but all that controllers do with them is to compare  *)
(* for equality and to make the newest newer. So states are the same that differ only in the numbers, *)
(* not in their order: of those that occur anywhere, the smallest is 1.                               *)

Rank(x, all) == IF x <= 0 THEN x ELSE Cardinality({y \in all : 0 < y /\ y <= x})

UnderWay(p) == UNION {Sent(n, p) : n \in Nodes}

VersionsOf(p) ==
  UNION {{cache[n][p].ver, cache[n][p].twin.ver, cache[n][p].surBase} : n \in Nodes}
  \cup UNION {{m.ver, m.base} : m \in UnderWay(p)}
  \cup {dir[p].queue[i].base : i \in DOMAIN dir[p].queue}

BytesOf(p) ==
  UNION {{cache[n][p].bytes, cache[n][p].twin.bytes} : n \in Nodes}
  \cup UNION {{m.bytes, m.from} : m \in UnderWay(p)}
  \cup {last[p]}

View ==
  LET versions == [p \in Pages |-> VersionsOf(p)]
      writes == [p \in Pages |-> BytesOf(p)]
      v(p, x) == Rank(x, versions[p])
      b(p, x) == Rank(x, writes[p])
      page(c, p) ==
        [c EXCEPT !.ver = v(p, @), !.surBase = v(p, @), !.bytes = b(p, @),
                  !.twin = [ver |-> v(p, @.ver), bytes |-> b(p, @.bytes)]]
      entry(d, p) ==
        [d EXCEPT !.queue = [i \in DOMAIN d.queue |-> [d.queue[i] EXCEPT !.base = v(p, @)]]]
      message(m) ==
        [m EXCEPT !.ver = v(m.page, @), !.base = v(m.page, @),
                  !.bytes = b(m.page, @), !.from = b(m.page, @)]
      \* TLC does not work functions out before they are looked at, and can't write such states to disk.
      workedOut == vars = vars
  IN <<[n \in Nodes |-> [p \in Pages |-> page(cache[n][p], p)]],
       workedOut,
       [p \in Pages |-> entry(dir[p], p)],
       [ch \in Channels |-> [i \in DOMAIN net[ch] |-> message(net[ch][i])]],
       agent,
       [p \in Pages |-> b(p, last[p])],
       refused>>

-----------------------------------------------------------------------------
(* Liveness with deltas. TLC's liveness knows no views, and the numbers grow for ever; so here a step *)
(* of its own makes them small again before anything else goes on.                                    *)

AreRanked == View = <<cache, TRUE, dir, net, agent, last, refused>>

MakeRanked ==
  /\ ~AreRanked
  /\ cache' = View[1]
  /\ dir' = View[3]
  /\ net' = View[4]
  /\ last' = View[6]
  /\ UNCHANGED <<agent, refused>>

RankedNext == IF AreRanked THEN Next ELSE MakeRanked

(* Such steps come in between, so what can happen can do so again and again, not all the time: strong *)
(* fairness. It asks for no more than Fairness: a message at the head of its channel, a right asked   *)
(* for and a pin stay until they are dealt with.                                                      *)
RankedFairness ==
  /\ WF_vars(MakeRanked)
  /\ \A ch \in Channels : SF_vars(AreRanked /\ Deliver(ch))
  /\ \A n \in Nodes, p \in Pages : SF_vars(AreRanked /\ Complete(n, p))
  /\ \A a \in DeviceAgents : SF_vars(AreRanked /\ Unpin(a))

RankedSpec == Init /\ [][RankedNext]_vars /\ RankedFairness
=============================================================================
