namespace Kist.Pods.Bench;

/// <summary>Seconds from the exec of QEMU, and the agent's memory.</summary>
sealed record PodTimes(double Answer, double FirstByte, double Image, ulong ResidentBytes, ulong ResidentAfterBytes);
