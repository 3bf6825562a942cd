//! Clock, queues and supervised tasks; turns decisions into calls.
