package org.pluribus.coherence;

/** Why a controller refused a message. The controller's state is as if it had never come. */
public enum ProtocolError {
  /** The page index lies outside the guest's RAM. */
  NO_SUCH_PAGE,
  /** Sender or requester is no node of this cluster, or is the wrong node for this message. */
  WRONG_NODE,
  /** The message was addressed to another node, to another controller, or to another home. */
  MISDIRECTED,
  /** Count or flags have values which no correct sender produces. */
  BAD_FIELD,
  /** A DataDelta is not for the bytes this node has. */
  WRONG_BASE,
  /** The page's state leaves no room for this message: it was never asked for, or came twice. */
  UNEXPECTED,
  /** The node already has a request for this page under way. */
  DUPLICATE_REQUEST
}
