export { watchPatients } from '@/components/patient-list';
export { joinCall } from '@/components/video-call';
export { openVisit } from '@/components/visit';
export { openBoard } from '@/components/whiteboard';
